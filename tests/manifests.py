"""The Kubernetes manifests of export/, and what a cluster would accept."""

import jsonschema
import kubernetes_validate
from export_files import EXPORT

FOLDER = EXPORT / "kubernetes"
NAMESPACE = "pet-dcgan"
LABELS = {"app.kubernetes.io/name": "pet-dcgan-serving"}
PARTS = ["autoscaling", "ingress", "operator"]
# those of the Kubernetes project's three supported minor versions
SUPPORTED = ["1.35", "1.36", "1.37"]
MANIFESTS = sorted(
    path for path in FOLDER.rglob("*.yaml") if path.name != "kustomization.yaml"
)


def fields(required, **properties):
    """A JSON schema of an object that has these fields and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def lists(of):
    return {"type": "array", "items": of, "minItems": 1}


TEXT = {"type": "string", "minLength": 1}
TEXTS = {"type": "object", "additionalProperties": TEXT}
LASTING = {"type": "string", "pattern": r"^\d+[smh]$"}
# what the manifests use of the custom resource definitions:
# monitoring.coreos.com_{podmonitors,prometheusrules}.yaml of the Prometheus
# Operator 0.91 and traefik.io_middlewares.yaml of Traefik 3
CUSTOM = {
    ("monitoring.coreos.com/v1", "PodMonitor"): fields(
        "selector podMetricsEndpoints",
        selector=fields("matchLabels", matchLabels=TEXTS),
        podMetricsEndpoints=lists(
            fields(
                "port",
                port=TEXT,
                path=TEXT,
                interval=LASTING,
                relabelings=lists(
                    fields("targetLabel", targetLabel=TEXT, replacement=TEXT)
                ),
            )
        ),
    ),
    ("monitoring.coreos.com/v1", "PrometheusRule"): fields(
        "groups",
        groups=lists(
            fields(
                "name rules",
                name=TEXT,
                rules=lists(
                    fields(
                        "alert expr",
                        **{"alert": TEXT, "expr": TEXT, "for": LASTING},
                        labels=TEXTS,
                        annotations=TEXTS,
                    )
                ),
            )
        ),
    ),
    ("traefik.io/v1alpha1", "Middleware"): {
        "oneOf": [
            fields(
                "basicAuth",
                basicAuth=fields(
                    "secret", secret=TEXT, removeHeader={"type": "boolean"}
                ),
            ),
            fields(
                "buffering",
                buffering=fields(
                    "maxRequestBodyBytes",
                    maxRequestBodyBytes={"type": "integer", "minimum": 1},
                ),
            ),
        ]
    },
}


def check(manifest, version):
    """Raises unless a cluster of this version would accept it."""
    kind = manifest["apiVersion"], manifest["kind"]
    if kind not in CUSTOM:
        kubernetes_validate.validate(manifest, version, strict=True)
        return
    whole = fields(
        "apiVersion kind metadata spec",
        apiVersion=TEXT,
        kind=TEXT,
        metadata=fields("name", name=TEXT, namespace=TEXT, labels=TEXTS),
        spec=CUSTOM[kind],
    )
    jsonschema.validate(manifest, whole)
