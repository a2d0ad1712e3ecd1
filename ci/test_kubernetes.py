"""Renders deploy/kubernetes with kubectl, validates every object against the schemas of Kubernetes, and checks what no schema does.

    pytest ci/test_kubernetes.py

It needs kubectl 1.27 or newer and the Python package `kubernetes-validate`, which carries the schemas. Nothing is applied anywhere.
"""

import base64
import functools
import json
import pathlib
import re
import subprocess

import kubernetes_validate
import pytest
import yaml

CASES = 26
REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
DEPLOY = REPOSITORY / "deploy" / "kubernetes"
# The oldest version that is supported, and one of today.
VERSIONS = ["1.28", "1.33"]
BASE = ["ConfigMap", "Deployment", "HorizontalPodAutoscaler", "Job", "PodDisruptionBudget", "Service", "ServiceAccount"]
FOLDERS = {"base": BASE, "overlays/example": sorted([*BASE, "NetworkPolicy", "Secret"])}
SECRETS = {"service_password", "postgres_user", "postgres_password"}
# What runs the image.
RUNNERS = ["Deployment", "Job"]
MARGIN_SECONDS = 5


@functools.cache
def render(folder):
    result = subprocess.run(["kubectl", "kustomize", DEPLOY / folder], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return [one for one in yaml.safe_load_all(result.stdout) if one]


@pytest.fixture
def example():
    """The objects of the example, by kind."""
    return {one["kind"]: one for one in render("overlays/example")}


@pytest.fixture
def settings(example):
    """The config.json that is mounted."""
    return json.loads(example["ConfigMap"]["data"]["config.json"])


@pytest.fixture
def defaults():
    """The framework's keys with their defaults, from the tables that are written from the settings."""
    page = (REPOSITORY / "docs/CONFIGURATION.md").read_text()
    rows = re.findall(r"^\| `([a-z_]+)` \| [^|]+ \| (?:`([^`]+)`|required|) +\|", page, re.MULTILINE)
    return {key: json.loads(default) if default else None for key, default in rows}


def pod(objects, kind):
    return objects[kind]["spec"]["template"]["spec"]


def container(objects, kind):
    (only,) = pod(objects, kind)["containers"]
    return only


# --- objects


@pytest.mark.parametrize(("folder", "kinds"), FOLDERS.items(), ids=FOLDERS)
def test_a_folder_has_these_objects(folder, kinds):
    assert sorted(one["kind"] for one in render(folder)) == kinds


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", FOLDERS)
def test_every_object_is_valid(folder, version):
    for one in render(folder):
        kubernetes_validate.validate(one, version, strict=True)


def test_a_misspelt_key_is_refused(example):
    """Or the check of the schemas is worth nothing."""
    deployment = example["Deployment"]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**deployment, "spec": {**deployment["spec"], "replica": 2}}, VERSIONS[-1], strict=True)


# --- configuration


def test_the_config_file_has_no_secret_and_no_unknown_key(settings, defaults):
    assert not SECRETS & settings.keys()
    assert settings.keys() <= defaults.keys() | {"sql_db_url"}


def test_the_secret_has_the_secrets(example):
    assert set(example["Secret"]["data"]) == SECRETS


def test_the_secrets_of_the_example_are_no_real_ones(example):
    assert {base64.b64decode(text) for text in example["Secret"]["data"].values()} <= {b"change-me", b"bookmarks"}


@pytest.mark.parametrize("kind", RUNNERS)
def test_the_config_file_is_mounted_by_its_sub_path(example, kind):
    volumes = {volume["name"]: volume["configMap"]["name"] for volume in pod(example, kind)["volumes"]}
    mount = container(example, kind)["volumeMounts"][0]
    assert volumes[mount["name"]] == example["ConfigMap"]["metadata"]["name"]
    assert (mount["mountPath"], mount["subPath"]) == ("/home/tapis/config.json", "config.json")


@pytest.mark.parametrize("kind", RUNNERS)
def test_the_secret_is_in_the_environment(example, kind):
    assert container(example, kind)["envFrom"] == [{"secretRef": {"name": example["Secret"]["metadata"]["name"]}}]


# --- pods


@pytest.mark.parametrize("kind", RUNNERS)
def test_the_container_runs_as_4872_and_with_no_rights(example, kind):
    user, rights = pod(example, kind)["securityContext"], container(example, kind)["securityContext"]
    assert user["runAsUser"] == 4872
    assert user["runAsNonRoot"]
    assert user["seccompProfile"]["type"] == "RuntimeDefault"
    assert rights["readOnlyRootFilesystem"]
    assert not rights["allowPrivilegeEscalation"]
    assert rights["capabilities"]["drop"] == ["ALL"]


@pytest.mark.parametrize("kind", RUNNERS)
def test_the_container_has_requests_and_a_limit_on_memory(example, kind):
    resources = container(example, kind)["resources"]
    assert set(resources["requests"]) == {"cpu", "memory"}
    assert "memory" in resources["limits"]


def test_liveness_asks_for_the_process_and_readiness_for_what_it_needs(example):
    api = container(example, "Deployment")
    paths = {name: api[f"{name}Probe"]["httpGet"]["path"].rsplit("/", 1)[1] for name in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "healthcheck", "liveness": "healthcheck", "readiness": "readycheck"}


def test_draining_ends_before_the_shutdown_and_that_before_the_grace_period(example, settings, defaults):
    drain, shutdown = (settings.get(key, defaults[key]) for key in ("drain_seconds", "shutdown_seconds"))
    grace = pod(example, "Deployment")["terminationGracePeriodSeconds"]
    assert drain < shutdown <= grace - MARGIN_SECONDS


# --- scaling and the network


def test_the_autoscaler_owns_the_number_of_replicas(example):
    scaler = example["HorizontalPodAutoscaler"]["spec"]
    assert "replicas" not in example["Deployment"]["spec"]
    assert scaler["scaleTargetRef"]["name"] == example["Deployment"]["metadata"]["name"]
    assert scaler["minReplicas"] >= 2


@pytest.mark.parametrize("kind", ["Service", "PodDisruptionBudget", "NetworkPolicy"])
def test_a_selector_fits_the_api_and_not_the_migrations(example, kind):
    spec = example[kind]["spec"]
    selector = {
        "Service": lambda: spec["selector"],
        "PodDisruptionBudget": lambda: spec["selector"]["matchLabels"],
        "NetworkPolicy": lambda: spec["podSelector"]["matchLabels"],
    }[kind]()
    labels = {runner: example[runner]["spec"]["template"]["metadata"]["labels"].items() for runner in RUNNERS}
    assert selector.items() <= labels["Deployment"]
    assert not selector.items() <= labels["Job"]


def test_the_service_is_at_port_5000_and_leads_to_the_container(example):
    (port,) = example["Service"]["spec"]["ports"]
    assert port["port"] == 5000
    assert port["targetPort"] in [one["name"] for one in container(example, "Deployment")["ports"]]


def test_the_metrics_have_a_port_that_is_not_in_the_service(example, settings):
    (port,) = example["Service"]["spec"]["ports"]
    metrics = [one["containerPort"] for one in container(example, "Deployment")["ports"] if one["name"] == "metrics"]
    assert metrics == [int(settings["metrics_listen"].rsplit(":", 1)[1])]
    assert metrics != [port["port"]]
