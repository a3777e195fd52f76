"""The platform on a cluster: no Kubernetes runs here, so what it would be told is held to rules."""

import copy

import pytest

from tests.support.config_files import DOCKER, complaints, documents
from tests.support.platform_commands import VENUES, is_known, platform_commands, require_parses, signs

KUBERNETES = DOCKER / "kubernetes"
COMPONENT = "app.kubernetes.io/component"
# Whoever reads these from a Secret rather than a file says so.
SECRET = "moondev"


@pytest.fixture(scope="module")
def manifests():
    """Every document but kustomize's own, with the file it is in."""
    paths = [*KUBERNETES.glob("*.yaml"), *KUBERNETES.glob("venues/*.yaml")]
    return [(path, document) for path in paths if path.name != "kustomization.yaml" for document in documents(path)]


def of_kind(manifests, *kinds):
    return [document for _, document in manifests if document["kind"] in kinds]


def pods(manifests):
    """Return the pod of each process by the process's name, with the manifest it is of."""
    found = of_kind(manifests, "Deployment", "DaemonSet")
    return {one["spec"]["template"]["metadata"]["labels"][COMPONENT]: one for one in found}


def containers(manifest):
    spec = manifest["spec"]["template"]["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


def test_it_is_what_kubernetes_takes(manifests):
    assert len(manifests) > 60
    for path, document in manifests:
        assert complaints(document, "kubernetes.json") == [], f"{path.name}: {document['metadata']['name']}"


def test_the_schema_refuses_what_it_does_not_know_and_what_would_run_as_root(manifests):
    deployment = copy.deepcopy(of_kind(manifests, "Deployment")[0])
    deployment["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    assert complaints(deployment, "kubernetes.json")
    deployment = copy.deepcopy(of_kind(manifests, "Deployment")[0])
    deployment["spec"]["template"]["spec"]["securityContext"]["runAsUser"] = 0
    assert complaints(deployment, "kubernetes.json")


def test_every_process_is_there_and_runs_as_on_a_machine_without_containers(manifests, settings):
    expected = platform_commands(settings)
    found = pods(manifests)
    assert set(found) == set(expected)
    for name, command in expected.items():
        (container,) = found[name]["spec"]["template"]["spec"]["containers"]
        assert container["command"] == command, name
        named = {one["name"]: one.get("value") for one in container["env"]}
        assert named["MOONDEV_PROCESS"] == name
        require_parses(container["command"])
    for manifest in (*found.values(), *of_kind(manifests, "Job")):
        for container in containers(manifest):
            if container["image"] == "moondev-algotrade":
                require_parses(container["command"])


def test_every_process_is_looked_at_and_what_must_not_be_there_twice_is_not(manifests):
    for name, manifest in pods(manifests).items():
        (container,) = manifest["spec"]["template"]["spec"]["containers"]
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container), name
        if name != "flower":
            # Whether a process is started anew does not depend on a server that is away.
            assert container["livenessProbe"]["exec"] == {"command": ["docker/probe"]}
        if manifest["kind"] == "Deployment" and manifest["spec"]["replicas"] == 1:
            assert manifest["spec"]["strategy"] == {"type": "Recreate"}, name
    for name in ("beat", "dispatcher", "risk_guard", *(f"stream-user-{venue}" for venue in VENUES)):
        assert pods(manifests)[name]["spec"]["replicas"] == 1
    # A halt must be carried out while a machine is emptied.
    for venue in VENUES:
        assert pods(manifests)[f"vetoes-{venue}"]["spec"]["replicas"] == 2


def test_selectors_find_their_own_pods_and_no_others(manifests):
    names = set(pods(manifests))
    for manifest in pods(manifests).values():
        labels = manifest["spec"]["template"]["metadata"]["labels"]
        assert manifest["spec"]["selector"]["matchLabels"][COMPONENT] == labels[COMPONENT]
        assert manifest["metadata"]["name"] == labels[COMPONENT].replace("_", "-")
    budgets = {one["spec"]["selector"]["matchLabels"][COMPONENT] for one in of_kind(manifests, "PodDisruptionBudget")}
    assert budgets == names - {"metrics", "telegram"}
    ports = {
        name: one["spec"]["template"]["spec"]["containers"][0].get("ports", []) for name, one in pods(manifests).items()
    }
    for service in of_kind(manifests, "Service"):
        (port,) = service["spec"]["ports"]
        chosen = service["spec"]["selector"][COMPONENT]
        assert port["targetPort"] in {one["name"] for one in ports[chosen]}
        assert port["port"] in {one["containerPort"] for one in ports[chosen]}


def test_every_variable_is_one_that_somebody_reads(manifests):
    (config,) = of_kind(manifests, "ConfigMap")
    assert {variable for variable in config["data"] if not is_known(variable)} == set()
    for name, manifest in pods(manifests).items():
        for container in containers(manifest):
            assert {one["name"] for one in container.get("env", []) if not is_known(one["name"])} == set(), name


def test_secrets_are_named_and_never_written(manifests):
    assert of_kind(manifests, "Secret") == []
    (config,) = of_kind(manifests, "ConfigMap")
    for variable, value in config["data"].items():
        assert not variable.endswith("_FILE") or value.startswith("/run/secrets/")
        assert "password" not in value
    for manifest in pods(manifests).values():
        volumes = {one["name"]: one for one in manifest["spec"]["template"]["spec"]["volumes"]}
        assert volumes["secrets"]["secret"]["secretName"] == SECRET
        for container in containers(manifest):
            for variable in container.get("env", []):
                if "TOKEN" in variable["name"] or "AUTH" in variable["name"]:
                    assert variable["valueFrom"]["secretKeyRef"]["name"] == SECRET


def test_only_who_signs_has_keys_and_only_who_sends_notices_has_channels(manifests):
    for name, manifest in pods(manifests).items():
        held = {
            source["secretRef"]["name"]
            for container in containers(manifest)
            for source in container.get("envFrom", [])
            if "secretRef" in source
        }
        expected = {"moondev-keys"} if signs(name) else {"moondev-channels"} if name == "notices" else set()
        assert held == expected, name


def test_every_mount_has_its_volume_and_every_volume_its_claim(manifests):
    claims = {one["metadata"]["name"] for one in of_kind(manifests, "PersistentVolumeClaim")}
    for name, manifest in pods(manifests).items():
        volumes = {one["name"]: one for one in manifest["spec"]["template"]["spec"]["volumes"]}
        mounted = {mount["name"] for container in containers(manifest) for mount in container["volumeMounts"]}
        assert mounted == set(volumes), name
        assert {
            one["persistentVolumeClaim"]["claimName"] for one in volumes.values() if "persistentVolumeClaim" in one
        } <= claims
        # A deployment waits for the folder that the daemon set has made.
        kind = "Directory" if manifest["kind"] == "Deployment" else "DirectoryOrCreate"
        assert volumes["machine"]["hostPath"] == {"path": "/var/lib/moondev", "type": kind}


def test_nobody_is_spoken_to_unless_it_is_said(manifests):
    found = of_kind(manifests, "NetworkPolicy")
    policies = {one["metadata"]["name"]: one["spec"] for one in found}
    assert len(policies) == len(found)
    assert policies["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    # Flower asks nobody who he is for some of its pages: the web process does, so nothing else reaches it.
    (reached,) = policies["flower"]["ingress"]
    assert reached["from"] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/component": "web"}}}]
    (expression,) = policies["outside"]["podSelector"]["matchExpressions"]
    outside = set(expression["values"])
    assert outside <= set(pods(manifests))
    # Who decides speaks to no venue; who speaks to venues, and to people, may.
    assert not outside & {"ticks", "research", "dispatcher", "beat", "flower", "metrics"}
    assert {
        f"{kind}-{venue}" for venue in VENUES for kind in ("orders", "vetoes", "stream-market", "stream-user")
    } <= outside
    (block,) = policies["outside"]["egress"][0]["to"]
    assert {"10.0.0.0/8", "169.254.0.0/16"} <= set(block["ipBlock"]["except"])


def test_kustomize_takes_every_file_or_says_which_it_leaves_out():
    text = (KUBERNETES / "kustomization.yaml").read_text(encoding="utf-8")
    (kustomization,) = documents(KUBERNETES / "kustomization.yaml")
    there = {str(path.relative_to(KUBERNETES)) for path in KUBERNETES.rglob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) <= there
    for path in there:
        assert f"- {path}\n" in text, path
    (config,) = [one for one in documents(KUBERNETES / "config.yaml") if one["kind"] == "ConfigMap"]
    for venue in config["data"]["MOONDEV_VENUES"].split(","):
        assert f"venues/{venue}.yaml" in kustomization["resources"]
