// Package tcpvariants contains tests that are written with the official suite: a variant over TCP of
// each official test that needs an HTTP or HTTPS listener, and tests of further rules.
package tcpvariants

import (
	"embed"

	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

// Manifests contains the objects of the tests, and tcp/base.yaml in place of the suite's own base.
//
//go:embed *.yaml tcp/base.yaml
var Manifests embed.FS

// BaseManifests is the path of the objects that all tests share.
const BaseManifests = "tcp/base.yaml"

// All contains the tests in the order in which they run.
var All = []suite.ConformanceTest{
	// Variants of the official tests that skipped.go lists.
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
	// Rules that the official suite does not test.
	RejectedShare,
	AllZeroWeights,
	AllowedNamespaces,
	NoMatchingParent,
	HandOver,
	ParentsPruned,
	StatusOfOthers,
	ClassOfOthers,
	ClassStatus,
	ClassInUse,
	Names,
	Events,
	Programmed,
	ServiceEditsReverted,
	ServiceOfOthersUntouched,
}
