"""The files for Kubernetes, without a cluster: Dagster and its own launcher read them, and rules hold for each pod."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import DagsterRun
from dagster._core.instance.config import dagster_instance_config

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy/kubernetes"
IMAGE = "registry.example/exact-pipedrive-pipeline:0.1.0"
# What the chart 1.13.27 takes at the places where it refuses anything else, and where it would pass over it in silence.
_POD = "annotations nodeSelector affinity tolerations podSecurityContext securityContext resources volumes volumeMounts"
_PROBES = "livenessProbe readinessProbe startupProbe schedulerName initContainerResources labels deploymentLabels"
_ENV = "image env envConfigMaps envSecrets"
_OF_A_POD = {*_POD.split(), *_PROBES.split(), *_ENV.split()}
TAKES = {
    "global": {"postgresqlSecretName", "dagsterHome", "serviceAccountName", "celeryConfigSecretName"},
    "dagsterDaemon": _OF_A_POD
    | {"enabled", "runCoordinator", "heartbeatTolerance", "runMonitoring", "runRetries", "sensors", "schedules"},
    "dagsterWebserver": _OF_A_POD
    | {"replicaCount", "nameOverride", "pathPrefix", "service", "workspace", "enableReadOnly", "dbStatementTimeout"}
    | {"dbPoolRecycle", "logLevel"},
    "postgresql": {"enabled", "image", "postgresqlHost", "postgresqlUsername", "postgresqlPassword"}
    | {"postgresqlDatabase", "postgresqlParams", "postgresqlScheme", "service"},
    "dagster-user-deployments": {"enabled", "enableSubchart", "imagePullSecrets", "deployments"},
    "serviceAccount": {"create", "name", "annotations"},
    "telemetry": {"enabled"},
    "migrate": {"enabled", "initContainers"},
    "rabbitmq": {"enabled", "image", "rabbitmq", "service", "volumePermissions"},
    "generatePostgresqlPasswordSecret": None,
}
OF_A_DEPLOYMENT = _OF_A_POD | {"name", "port", "dagsterApiGrpcArgs", "codeServerArgs", "includeConfigInLaunchedRuns"}
SECRET_NAMES = {"pipeline", "pipeline-warehouse"}


def read(name: str) -> dict[str, Any]:
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))


def instance_settings(tmp_path: Path) -> dict[str, Any]:
    """What Dagster reads of both files, one behind the other."""
    both = (ROOT / "dagster.yaml").read_text("utf-8") + (FOLDER / "run_launcher.yaml").read_text("utf-8")
    (tmp_path / "dagster.yaml").write_text(both, "utf-8")
    settings, _ = dagster_instance_config(str(tmp_path))
    return dict(settings)


@pytest.fixture
def pod_of_a_run(tmp_path: Path) -> dict[str, Any]:
    """The pod that Dagster's launcher makes for a run of the code server's image; no cluster is asked."""
    from dagster_k8s import K8sRunLauncher  # reading Kubernetes's client takes every process that lists tests a second
    from dagster_k8s.container_context import K8sContainerContext
    from dagster_k8s.job import construct_dagster_k8s_job

    cluster = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "none",
        "clusters": [{"name": "none", "cluster": {"server": "http://127.0.0.1:9"}}],
        "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
        "users": [{"name": "none", "user": {}}],
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(cluster))
    config = instance_settings(tmp_path)["run_launcher"]["config"]
    launcher = K8sRunLauncher(
        **{**config, "load_incluster_config": False, "kubeconfig_file": str(tmp_path / "kubeconfig")}
    )
    context = K8sContainerContext.create_for_run(DagsterRun(job_name="orders_delta"), launcher, include_run_tags=True)
    job = construct_dagster_k8s_job(
        context.get_k8s_job_config(job_image=IMAGE, run_launcher=launcher),
        args=["dagster", "api", "execute_run"],
        job_name="run",
        user_defined_k8s_config=context.run_k8s_config,
    )
    return as_written(job.to_dict())["spec"]["template"]["spec"]


def as_written(value: Any) -> Any:
    """The client's names as they stand in a manifest, without what was not said."""
    if isinstance(value, dict):
        named = {re.sub("_([a-z])", lambda m: m[1].upper(), key): as_written(one) for key, one in value.items()}
        return {key: one for key, one in named.items() if one not in (None, [], {})}
    return [as_written(one) for one in value] if isinstance(value, list) else value


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every pod of the manifests and of the chart, its container's part and its own alike."""
    for item in read("pipeline.yaml")["items"]:
        if item["kind"] in ("Deployment", "Job"):
            pod = item["spec"]["template"]["spec"]
            yield item["metadata"]["name"], pod
    values = read("values.yaml")
    for name in ("dagsterDaemon", "dagsterWebserver"):
        yield name, pod_of_the_chart(values[name])
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    yield "code server", pod_of_the_chart(deployment)


def pod_of_the_chart(said: dict[str, Any]) -> dict[str, Any]:
    image = f"{said['image']['repository']}:{said['image']['tag']}"
    secrets = [{"secretRef": source} for source in said.get("envSecrets", [])]
    container = {
        "image": image,
        "envFrom": secrets,
        **{key: said[key] for key in said if key not in ("image", "volumes")},
    }
    return {"containers": [container], "securityContext": said["podSecurityContext"], "volumes": said["volumes"]}


def hold_to_the_rules(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    assert container["image"] == IMAGE
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001, "who owns the files in the image"
    locked = container["securityContext"]
    assert (locked["readOnlyRootFilesystem"], locked["allowPrivilegeEscalation"]) == (True, False)
    assert locked["capabilities"]["drop"] == ["ALL"]
    assert container["resources"]["limits"]["memory"]
    volumes = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    paths = [mount["mountPath"] for mount in container["volumeMounts"]]
    assert len(paths) == len({*paths})
    assert {"/tmp", "/var/lib/pipeline", "/var/lib/pipeline/dagster.yaml", "/srv/pipeline/pipeline.yaml"} <= {*paths}
    assert "WAREHOUSE_URL" in {variable["name"] for variable in container["env"]}
    named = {source["secretRef"]["name"] for source in container.get("envFrom", [])}
    taken = {one["valueFrom"]["secretKeyRef"]["name"] for one in container["env"] if "valueFrom" in one}
    assert named | taken <= SECRET_NAMES


@pytest.mark.parametrize(("name", "pod"), [pytest.param(name, pod, id=name) for name, pod in pods()])
def test_a_pod_is_of_our_image_locked_and_limited_and_gets_what_it_needs(name: str, pod: dict[str, Any]):
    hold_to_the_rules(pod)


def test_a_run_has_a_pod_of_its_own_with_the_credentials_the_settings_and_a_place_for_backups(
    pod_of_a_run: dict[str, Any],
):
    hold_to_the_rules(pod_of_a_run)
    (container,) = pod_of_a_run["containers"]
    assert [source["secretRef"]["name"] for source in container["envFrom"]] == ["pipeline"]
    assert {"name": "DAGSTER_HOME", "value": "/var/lib/pipeline"} in container["env"]
    assert "/var/lib/pipeline/backups" in {mount["mountPath"] for mount in container["volumeMounts"]}
    assert pod_of_a_run["restartPolicy"] == "Never", "Dagster decides whether a run is begun again"


def test_dagster_is_set_up_as_on_one_machine_but_for_who_starts_its_runs(tmp_path: Path):
    settings = instance_settings(tmp_path)
    alone, _ = dagster_instance_config(str(ROOT))
    launcher = settings.pop("run_launcher")
    assert (launcher["module"], launcher["class"]) == ("dagster_k8s", "K8sRunLauncher")
    assert settings == {key: value for key, value in dict(alone).items() if key != "run_launcher"}


def test_the_chart_takes_every_value_that_is_given():
    values = {key: value for key, value in read("values.yaml").items() if not key.startswith("x-")}
    for key, taken in TAKES.items():
        assert taken is None or set(values.pop(key)) <= taken, key
    assert set(values) == {"generatePostgresqlPasswordSecret"}
    (deployment,) = read("values.yaml")["dagster-user-deployments"]["deployments"]
    assert set(deployment) <= OF_A_DEPLOYMENT
    assert deployment["includeConfigInLaunchedRuns"] == {"enabled": False}, "a run would mount the same path twice"


def test_there_is_one_code_location_under_the_name_it_has_everywhere_and_one_daemon():
    values = read("values.yaml")
    (everywhere,) = yaml.safe_load((ROOT / "workspace.yaml").read_text("utf-8"))["load_from"]
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    assert deployment["name"] == everywhere["python_module"]["location_name"]
    assert everywhere["python_module"]["module_name"] in deployment["dagsterApiGrpcArgs"]
    assert "replicaCount" not in values["dagsterDaemon"], "the chart makes one"
    assert not any("daemon" in str(item) for item in read("pipeline.yaml")["items"])


def test_no_file_holds_a_secret_and_none_is_made_by_the_chart():
    values = read("values.yaml")
    assert values["generatePostgresqlPasswordSecret"] is False
    assert "postgresqlPassword" not in values["postgresql"]
    assert not [item for item in read("pipeline.yaml")["items"] if item["kind"] == "Secret"]
    for file in FOLDER.glob("*.yaml"):
        assert not re.search(r"(?i)(password|token|secret)\s*[:=]\s*[\w/+-]{8,}", file.read_text("utf-8")), file.name


def test_only_the_receivers_path_is_public_and_only_neighbours_reach_the_rest():
    items = {(item["kind"], item["metadata"]["name"]): item for item in read("pipeline.yaml")["items"]}
    (ingress,) = [item for (kind, _), item in items.items() if kind == "Ingress"]
    paths = [(path["path"], path["pathType"]) for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]
    assert paths == [("/webhooks/exact", "Exact")]
    inside = items["NetworkPolicy", "inside"]["spec"]
    assert inside == {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": {}}]}]}
    services = {name for kind, name in items if kind == "Service"}
    assert services == {"webhooks", "metrics"}


def test_the_image_for_kubernetes_is_built_with_what_starts_pods():
    assert '--build-arg EXTRAS="--extra kubernetes"' in (ROOT / "docs/scaling.md").read_text("utf-8")
    assert (ROOT / "Dockerfile").read_text("utf-8").count("${EXTRAS:-}") == 2
