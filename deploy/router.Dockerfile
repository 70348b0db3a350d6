# A router: the chats, the pages, the plugins' front halves. It has no model library. Built from the repository's root:
#   docker build -f deploy/router.Dockerfile -t hobnob-router .
# PYTHON is pinned by its digest where builds have to be repeatable: --build-arg PYTHON=python:3.12-slim-bookworm@sha256:…
ARG PYTHON=python:3.12-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /app
COPY requirements-router.lock ./
RUN python3 -m venv /opt/hobnob
RUN /opt/hobnob/bin/pip install --quiet --no-cache-dir --no-deps --require-hashes -r requirements-router.lock
COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY plugins plugins
COPY bot bot
RUN /opt/hobnob/bin/pip install --quiet --no-cache-dir --no-deps --no-build-isolation --editable .

FROM ${PYTHON}
RUN useradd --uid 10001 --create-home hobnob && mkdir /data && chown hobnob /data
COPY --from=build /opt/hobnob /opt/hobnob
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/hobnob/bin:$PATH HOBNOB_DATA_DIR=/data PYTHONDONTWRITEBYTECODE=1
ENV HOBNOB_WEB__HOST=0.0.0.0 HOBNOB_OBSERVE__HOST=0.0.0.0 HOBNOB_OBSERVE__ROUTER_PORT=9484
USER 10001
VOLUME /data
EXPOSE 8484 9484
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:9484/readyz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["hobnob"]
CMD ["router"]
