#!/usr/bin/env python3
"""Renders deploy/kubernetes with kubectl, validates every object against the schemas of Kubernetes, and checks what no schema does.

    python3 ci/kubernetes.py

It needs kubectl 1.27 or newer and the Python package `kubernetes-validate`, which carries the schemas. Nothing is applied anywhere.
"""

import base64
import json
import pathlib
import subprocess
import sys

import kubernetes_validate
import yaml

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
DEPLOY = REPOSITORY / "deploy" / "kubernetes"
# The oldest version that is supported, and one of today.
VERSIONS = ["1.28", "1.33"]
BASE = ["ConfigMap", "Deployment", "HorizontalPodAutoscaler", "Job", "PodDisruptionBudget", "Service", "ServiceAccount"]
EXAMPLE = [*BASE, "NetworkPolicy", "Secret"]
SECRETS = {"service_password", "postgres_user", "postgres_password"}
MARGIN_SECONDS = 5

failures = []


def check(what, ok):
    print(f"{'ok    ' if ok else 'FAILED'} {what}")
    if not ok:
        failures.append(what)


def main():
    schema = json.loads((REPOSITORY / "crates/tapisservice-config/src/base_schema.json").read_text())["properties"]
    for folder, kinds in (("base", BASE), ("overlays/example", EXAMPLE)):
        objects = render(folder)
        found = sorted(one["kind"] for one in objects)
        check(f"{folder} has {len(kinds)} objects: {', '.join(sorted(kinds))}", found == sorted(kinds))
        for version in VERSIONS:
            faults = [fault for one in objects for fault in validate(one, version)]
            check(f"{folder} is valid for Kubernetes {version}{''.join(': ' + fault for fault in faults)}", not faults)
    by_kind = {one["kind"]: one for one in objects}
    validator_works(by_kind["Deployment"])
    configuration(by_kind, schema)
    pods(by_kind)
    ending(by_kind, schema)
    scaling(by_kind)
    print(f"{len(failures)} failed" if failures else "all passed")
    sys.exit(bool(failures))


def render(folder):
    result = subprocess.run(["kubectl", "kustomize", DEPLOY / folder], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"kubectl kustomize {folder}: {result.stderr.strip()}")
    return [one for one in yaml.safe_load_all(result.stdout) if one]


def validator_works(deployment):
    """A misspelt key is refused, or the checks above are worth nothing."""
    spec = {**deployment["spec"], "replica": 2}
    check("a misspelt key is refused", bool(validate({**deployment, "spec": spec}, VERSIONS[-1])))


def validate(one, version):
    try:
        kubernetes_validate.validate(one, version, strict=True)
        return []
    except kubernetes_validate.ValidationError as error:
        return [f"{one['kind']} {one['metadata']['name']}: {error}"]


def configuration(by_kind, schema):
    """The file is JSON with what the base schema requires, the Secret has the rest, and both are what the pods mount."""
    config, secret = by_kind["ConfigMap"], by_kind["Secret"]
    values = json.loads(config["data"]["config.json"])
    check("config.json has no secret", not SECRETS & values.keys())
    check("config.json has no unknown key", set(values) <= schema.keys() | {"sql_db_url"})
    check("the Secret has the secrets", set(secret["data"]) == SECRETS)
    check(
        "the example's are no real ones",
        all(base64.b64decode(text) in (b"change-me", b"bookmarks") for text in secret["data"].values()),
    )
    for kind in ("Deployment", "Job"):
        pod = by_kind[kind]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        volumes = {volume["name"]: volume["configMap"]["name"] for volume in pod["volumes"]}
        mount = container["volumeMounts"][0]
        check(
            f"the {kind} mounts this config.json by subPath",
            volumes[mount["name"]] == config["metadata"]["name"]
            and (mount["mountPath"], mount["subPath"]) == ("/home/tapis/config.json", "config.json"),
        )
        check(
            f"the {kind} has this Secret in its environment",
            container["envFrom"] == [{"secretRef": {"name": secret["metadata"]["name"]}}],
        )


def pods(by_kind):
    for kind in ("Deployment", "Job"):
        pod = by_kind[kind]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        user, rights = pod["securityContext"], container["securityContext"]
        check(
            f"the {kind} runs as 4872 and with no rights",
            user["runAsUser"] == 4872
            and user["runAsNonRoot"]
            and user["seccompProfile"]["type"] == "RuntimeDefault"
            and rights["readOnlyRootFilesystem"]
            and not rights["allowPrivilegeEscalation"]
            and rights["capabilities"]["drop"] == ["ALL"],
        )
        check(
            f"the {kind} has requests and a limit on memory",
            set(container["resources"]["requests"]) == {"cpu", "memory"} and "memory" in container["resources"]["limits"],
        )
    (api,) = by_kind["Deployment"]["spec"]["template"]["spec"]["containers"]
    paths = {name: api[f"{name}Probe"]["httpGet"]["path"].rsplit("/", 1)[1] for name in ("startup", "liveness", "readiness")}
    check(
        "liveness asks for the process, readiness for what it needs",
        paths == {"startup": "healthcheck", "liveness": "healthcheck", "readiness": "readycheck"},
    )


def ending(by_kind, schema):
    values = json.loads(by_kind["ConfigMap"]["data"]["config.json"])
    drain, shutdown = (values.get(key, schema[key]["default"]) for key in ("drain_seconds", "shutdown_seconds"))
    grace = by_kind["Deployment"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    check(
        f"drain {drain} s < shutdown {shutdown} s < grace period {grace} s, by {MARGIN_SECONDS} s",
        drain < shutdown <= grace - MARGIN_SECONDS,
    )


def scaling(by_kind):
    deployment, labels = by_kind["Deployment"], by_kind["Deployment"]["spec"]["template"]["metadata"]["labels"]
    scaler = by_kind["HorizontalPodAutoscaler"]["spec"]
    check(
        "the autoscaler owns the number of replicas",
        "replicas" not in deployment["spec"]
        and scaler["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
        and scaler["minReplicas"] >= 2,
    )
    selectors = {
        "Service": by_kind["Service"]["spec"]["selector"],
        "PodDisruptionBudget": by_kind["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        "NetworkPolicy": by_kind["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    }
    for kind, selector in selectors.items():
        check(
            f"the {kind} selects the API and not the migrations",
            selector.items() <= labels.items()
            and not selector.items() <= by_kind["Job"]["spec"]["template"]["metadata"]["labels"].items(),
        )
    (port,) = by_kind["Service"]["spec"]["ports"]
    (api,) = deployment["spec"]["template"]["spec"]["containers"]
    check(
        "the Service is at port 5000 and leads to the container's",
        port["port"] == 5000 and port["targetPort"] in [one["name"] for one in api["ports"]],
    )
    listen = json.loads(by_kind["ConfigMap"]["data"]["config.json"])["metrics_listen"]
    metrics = [one["containerPort"] for one in api["ports"] if one["name"] == "metrics"]
    check("the metrics have a port that is not in the Service", metrics == [int(listen.rsplit(":", 1)[1])] != [port["port"]])


if __name__ == "__main__":
    main()
