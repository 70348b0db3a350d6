# Everything a newcomer needs is `make run`; everything a contributor needs is `make test`.
PYTHON ?=
REDIS_URL ?=
ONLY ?=
ARGS ?=
SECONDS ?=
SEED ?=
MINUTES ?=
export PYTHON REDIS_URL

# processes, each with a store of its own; a file's tests stay together, because they share what takes long to start
PARALLEL = -n 3 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev models run test lint types contracts docs bench bench-quick bench-long bench-gpu bench-report chaos soak rehearsal journeys fuzz audit sbom images pictures lock clean chromium

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##/\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup:  ## what `make run` needs, into .venv; does nothing when all is there
	@tools/setup

setup-dev:  ## the same and what the tests and checks need
	@tools/setup --dev

models: setup  ## the starter models, into the data directory
	@.venv/bin/hobnob models pull starter

run: setup  ## starts everything, brings the starter models, and prints the link to the first page
	@.venv/bin/hobnob run --bring starter

test: setup-dev models chromium  ## the whole suite; REDIS_URL=… runs it on that server, ARGS=… goes to pytest
	@.venv/bin/python -m pytest $(PARALLEL) $(ARGS)

lint: setup-dev  ## style and format
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .

types: setup-dev  ## mypy, strict
	@.venv/bin/mypy bot plugins tests tools docs/examples

contracts: setup-dev  ## which layer may import what
	@.venv/bin/lint-imports

docs: setup-dev  ## the documentation as a site, in build/site; dead links and what the code says otherwise are errors
	@.venv/bin/python -m tools.reference --check
	@.venv/bin/python -m tools.site

bench: setup-dev models  ## the measurements, less than 25 minutes; ONLY=core runs one part, ARGS=--json prints for programs
	@.venv/bin/python -m tests.bench $(ARGS) $(ONLY)

bench-quick: setup-dev models  ## a little of them, two minutes
	@.venv/bin/python -m tests.bench --quick $(ARGS) $(ONLY)

bench-long: setup-dev models  ## what takes long: estimates in real time, 200 kills, recordings of hours. MINUTES="30" measures that one
	@MINUTES="$(MINUTES)" PAUSE="$(PAUSE)" .venv/bin/python -m tests.bench $(ARGS) $(or $(ONLY),foretold recovery recordings)

bench-gpu: setup-dev  ## models of real size with random weights, where there is CUDA; ONLY=chat runs one part
	@.venv/bin/python -m tests.gpu $(ONLY)

bench-report:  ## docs/benchmarks.md, of what was measured last
	@.venv/bin/python -m tests.bench --report

chaos: setup-dev  ## kills, halts and cuts off everything a thousand times; SECONDS=240, SEED=7
	@.venv/bin/python -m tests.chaos $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))
	@.venv/bin/python -m tests.chaos --gentle --seconds 120
	@HYPOTHESIS_PROFILE=long .venv/bin/python -m pytest -q tests/store/test_queue_machine.py tests/connectors/test_telegram_text.py tests/connectors/test_discord_text.py
	@LOAD_MINUTES=60 .venv/bin/python -m pytest -q tests/connectors/test_discord_load.py

soak: setup-dev  ## thousands of conversations for four days of two and a half minutes, and nothing may grow; SECONDS=600, ARGS="--day 60"
	@.venv/bin/python -m tests.soak $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

rehearsal: setup-dev  ## two machines, four devices, 500 servers, TLS, Sentinels, and one that loses power, by processes; ARGS="--servers 50"
	@.venv/bin/python -m tests.rehearsal $(ARGS)

journeys: setup-dev chromium  ## four people begin with an empty folder, by the clock; ARGS="home --models DIR"
	@.venv/bin/python -m tests.journeys $(ARGS)

fuzz: setup-dev  ## gives every parser what nobody would write; SECONDS=600, ONLY=telegram
	@.venv/bin/python -m tests.fuzz $(if $(SECONDS),--seconds $(SECONDS)) $(ONLY)

audit: setup-dev  ## asks for known holes in the pinned libraries; says so where the package index has no advisories
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -r tools/uv.txt
	@.venv/bin/python -m tools.audit

sbom: setup-dev  ## what there is, as a CycloneDX document: build/sbom.json
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -r tools/uv.txt
	@mkdir -p build && .venv/bin/uv tool run --quiet --from cyclonedx-bom==7.5.0 cyclonedx-py requirements requirements.lock --pyproject pyproject.toml \
	    --output-reproducible --of JSON --output-file build/sbom.json && echo build/sbom.json

images: setup-dev models  ## does what the Dockerfiles say, in clean folders, without an engine, and starts what they start
	@.venv/bin/python -m tools.rehearse deploy/router.Dockerfile
	@.venv/bin/python -m tools.rehearse deploy/worker.Dockerfile

pictures: setup-dev models chromium  ## every page of the dashboard, into build/pages; and the pictures in the README
	@test -n "$$(fc-list :lang=zh 2>/dev/null)" || echo "No Chinese font found, so Chinese pages show boxes: Debian has one in fonts-wqy-microhei."
	@mkdir -p build/pages && SHOTS=build/pages .venv/bin/python -m pytest -q tests/browser/test_dashboard.py -k "readable or chinese"
	@cp build/pages/operator-desktop-light.png docs/dashboard.png
	@.venv/bin/python -m tests.journeys.pictures docs/room.png

lock: setup-dev  ## resolves the dependencies and writes the lock files; ARGS=--upgrade takes the newest
	@tools/lock $(ARGS)

clean:  ## removes what the build and the tools made; models and data stay
	@rm -rf .venv build var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

chromium:
	@for browser in chromium chromium-browser google-chrome google-chrome-stable; do command -v $$browser >/dev/null && exit 0; done; \
	test -d "/Applications/Google Chrome.app" || echo "No Chromium or Chrome found: the browser tests will be skipped."
