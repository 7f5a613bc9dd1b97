#!/usr/bin/env python3
"""Cuts the schemas of the kinds that the API serves from the files of Kubernetes and Gateway API.

Usage: generate.py KUBERNETES GATEWAY_API

KUBERNETES is a checkout of github.com/kubernetes/kubernetes (reads api/openapi-spec/v3 and
api/discovery), GATEWAY_API one of sigs.k8s.io/gateway-api (reads config/crd/experimental). The
files kubernetes.json and gateway-api.json beside this script are replaced.
"""

import json
import pathlib
import sys

import yaml

# Group version and kinds, and the file of the OpenAPI and discovery documents that has them.
BUILT_IN = [
    ("api__v1", "", "v1", ["Namespace", "Service", "Event", "ConfigMap", "Secret"]),
    ("apis__apps__v1", "apps", "v1", ["Deployment"]),
    ("apis__discovery.k8s.io__v1", "discovery.k8s.io", "v1", ["EndpointSlice"]),
    ("apis__coordination.k8s.io__v1", "coordination.k8s.io", "v1", ["Lease"]),
    ("apis__events.k8s.io__v1", "events.k8s.io", "v1", ["Event"]),
]
CUSTOM = ["gatewayclasses", "gateways", "tcproutes", "referencegrants"]
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
# Types of every group version that no kind refers to.
META_KINDS = ["DeleteOptions", "ListMeta", "ObjectMeta", "Patch", "Status"]
# Of DELETE and watch requests; a list of all group versions makes them long.
GVK = "x-kubernetes-group-version-kind"
LICENSE = "Apache-2.0, Copyright The Kubernetes Authors"


def references(value):
    """Yields the names of the schemas to which a value refers."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "$ref":
                yield item.rsplit("/", 1)[1]
            else:
                yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def closure(schemas, names):
    found, open_names = {}, list(names)
    while open_names:
        name = open_names.pop()
        if name not in found:
            found[name] = schemas[name]
            open_names.extend(references(schemas[name]))
    return found


def has_gvk(schema, group, version, kind):
    return {"group": group, "kind": kind, "version": version} in schema.get(GVK, [])


def built_in(root):
    schemas, resources = {}, []
    for file, group, version, kinds in BUILT_IN:
        document = json.loads((root / f"api/openapi-spec/v3/{file}_openapi.json").read_text())
        found = document["components"]["schemas"]
        names = [META + kind for kind in META_KINDS]
        for kind in kinds + [kind + "List" for kind in kinds]:
            names += [name for name, one in found.items() if has_gvk(one, group, version, kind)]
        schemas.update(closure(found, names))
        listed = json.loads((root / f"api/discovery/{file}.json").read_text())["resources"]
        for one in listed:
            if one["kind"] in kinds and "/" not in one["name"]:
                status = one["name"] + "/status"
                one["group"], one["version"] = group, version
                one["status"] = any(other["name"] == status for other in listed)
                one.pop("storageVersionHash", None)
                resources.append(one)
    for name in schemas:
        if name.startswith(META):
            schemas[name].pop(GVK, None)
    return {"resources": resources, "schemas": dict(sorted(schemas.items()))}


def custom(root):
    definitions = []
    for plural in CUSTOM:
        file = f"config/crd/experimental/gateway.networking.k8s.io_{plural}.yaml"
        definition = yaml.safe_load((root / file).read_text())
        bundle = definition["metadata"]["annotations"]["gateway.networking.k8s.io/bundle-version"]
        definition["spec"]["bundleVersion"] = bundle
        definitions.append(definition["spec"])
    return {"definitions": definitions}


def dump(value, depth):
    """Writes JSON without spaces, with line breaks at the first levels only, for short diffs."""
    if depth == 0 or not value or not isinstance(value, (dict, list)):
        return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    if isinstance(value, list):
        return "[\n" + ",\n".join(dump(item, depth - 1) for item in value) + "\n]"
    items = (f"{json.dumps(key)}:{dump(item, depth - 1)}" for key, item in value.items())
    return "{\n" + ",\n".join(items) + "\n}"


def write(name, source, content, depth):
    content = {"license": LICENSE, "source": source, **content}
    pathlib.Path(__file__).with_name(name).write_text(dump(content, depth) + "\n")


def main():
    kubernetes, gateway_api = map(pathlib.Path, sys.argv[1:])
    write(
        "kubernetes.json",
        "https://github.com/kubernetes/kubernetes: api/openapi-spec/v3, api/discovery",
        built_in(kubernetes),
        2,
    )
    write(
        "gateway-api.json",
        "https://github.com/kubernetes-sigs/gateway-api: config/crd/experimental",
        custom(gateway_api),
        4,
    )


main()
