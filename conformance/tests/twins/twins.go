// Package twins has tests in the form and with the means of the official suite: for each of its tests
// that needs an HTTP or HTTPS listener the same over a TCP one, and more on what it doesn't ask.
package twins

import (
	"embed"

	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

// Manifests has what the twins apply, and tcp/base.yaml in place of the suite's own base.
//
//go:embed *.yaml tcp/base.yaml
var Manifests embed.FS

// BaseManifests is the path of the objects that all tests share.
const BaseManifests = "tcp/base.yaml"

// All are the twins and the further tests, in the order in which they run.
var All = []suite.ConformanceTest{
	// In place of the official ones that skipped.go lists.
	UnsupportedProtocol,
	InvalidRouteKind,
	TLSListeners,
	ModifyListeners,
	ObservedGeneration,
	GrantInvalid,
	GrantMissing,
	GrantAllInNamespace,
	GrantSpecific,
	NonTCPListener,
	StaticAddresses,
	OptionalAddressValue,
	Infrastructure,
	// What the official suite doesn't ask.
	RejectedShare,
	AllZeroWeights,
	AllowedNamespaces,
	NoMatchingParent,
	HandOver,
	ParentsPruned,
	ForeignStatus,
	ForeignClass,
	ClassStatus,
	ClassInUse,
	Names,
	Events,
	Programmed,
	ServicePutRight,
	ServiceNotOurs,
}
