# A worker: the models, on one GPU or on processors. CUDA comes with torch, the driver from the machine (NVIDIA Container Toolkit).
# Built from the repository's root:
#   docker build -f deploy/worker.Dockerfile -t hobnob-worker .
# PYTHON is pinned by its digest where builds have to be repeatable: --build-arg PYTHON=python:3.12-slim-bookworm@sha256:…
ARG PYTHON=python:3.12-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /app
COPY requirements.lock requirements-torch.lock ./
RUN python3 -m venv /opt/hobnob
RUN /opt/hobnob/bin/pip install --quiet --no-cache-dir --no-deps --require-hashes -r requirements-torch.lock
RUN /opt/hobnob/bin/pip install --quiet --no-cache-dir --no-deps --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY plugins plugins
COPY bot bot
RUN /opt/hobnob/bin/pip install --quiet --no-cache-dir --no-deps --no-build-isolation --editable .

FROM ${PYTHON}
RUN useradd --uid 10001 --create-home hobnob && mkdir /data /models && chown hobnob /data /models
COPY --from=build /opt/hobnob /opt/hobnob
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/hobnob/bin:$PATH HOME=/data HOBNOB_DATA_DIR=/data HOBNOB_MODELS__DIR=/models PYTHONDONTWRITEBYTECODE=1
ENV HOBNOB_OBSERVE__HOST=0.0.0.0 HOBNOB_OBSERVE__WORKER_PORT=9485 HF_HUB_OFFLINE=1 NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001
VOLUME /data /models
EXPOSE 9485
HEALTHCHECK --interval=15s --timeout=5s --start-period=300s CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:9485/readyz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["hobnob"]
CMD ["worker"]
