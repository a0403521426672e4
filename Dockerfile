# One image for every service of docker-compose.yml. No secret goes in: credentials come with the container's environment.

FROM python:3.12-slim-trixie AS build
RUN pip install --no-cache-dir uv==0.13.8
ENV UV_PYTHON_DOWNLOADS=never UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1
WORKDIR /srv/pipeline
# More than one machine needs: `--build-arg EXTRAS="--extra kubernetes"` (docs/scaling.md).
ARG EXTRAS=""
# What others wrote changes less often than what we write: a layer of its own.
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-dev --no-install-project ${EXTRAS:-}
COPY README.md ./
COPY pipeline ./pipeline
RUN uv sync --locked --no-dev ${EXTRAS:-}

FROM python:3.12-slim-trixie
# For backups: programs of the major version that docker-compose.yml runs.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/*
# The folders that volumes are mounted on: a new volume gets the owner of what stands there.
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/pipeline pipeline \
    && install --directory --owner=pipeline --mode=0700 /var/lib/pipeline/backups
COPY --from=build /srv/pipeline /srv/pipeline
COPY pipeline.yaml /srv/pipeline/
COPY deploy/workspace.yaml /srv/pipeline/workspace.yaml
COPY --chown=pipeline dagster.yaml /var/lib/pipeline/
ENV PATH="/srv/pipeline/.venv/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    PIPELINE_LOG=json \
    DAGSTER_HOME=/var/lib/pipeline \
    PIPELINE_HOME=/var/lib/pipeline \
    PIPELINE_CONFIG=/srv/pipeline/pipeline.yaml
USER pipeline
WORKDIR /srv/pipeline
CMD ["pipeline", "--help"]
