package tcpvariants

import "sigs.k8s.io/gateway-api/conformance/utils/suite"

// Skipped is an official test that cannot be run here.
type Skipped struct {
	// Test is the short name of the official test.
	Test string `json:"test"`
	// Why it cannot be run.
	Why string `json:"why"`
	// Variant is the short name of the test of the same rules over TCP.
	Variant string `json:"variant"`
}

// NotRun are the official tests of profile GATEWAY-TCP that need an HTTP or HTTPS listener to be
// accepted. sluicegate is no HTTP proxy: it answers such a listener with UnsupportedProtocol.
var NotRun = []Skipped{
	{"GatewayListenerUnsupportedProtocol", "its second Gateway expects an HTTP listener to be accepted", UnsupportedProtocol.ShortName},
	{"GatewayInvalidRouteKind", "its listeners are HTTP and expected to support HTTPRoute", InvalidRouteKind.ShortName},
	{"GatewayInvalidTLSConfiguration", "its listeners are HTTPS and expected to support HTTPRoute", TLSListeners.ShortName},
	{"GatewayModifyListeners", "it adds and removes HTTP and HTTPS listeners and counts HTTPRoutes", ModifyListeners.ShortName},
	{"GatewayObservedGenerationBump", "its listeners are HTTP, and the Gateway is expected to be programmed", ObservedGeneration.ShortName},
	{"GatewaySecretInvalidReferenceGrant", "it is about the certificate of an HTTPS listener", GrantInvalid.ShortName},
	{"GatewaySecretMissingReferenceGrant", "it is about the certificate of an HTTPS listener", GrantMissing.ShortName},
	{"GatewaySecretReferenceGrantAllInNamespace", "it is about the certificate of an HTTPS listener", GrantAllInNamespace.ShortName},
	{"GatewaySecretReferenceGrantSpecific", "it is about the certificate of an HTTPS listener", GrantSpecific.ShortName},
	{"TCPRouteInvalidNonTCPListener", "its only listener is HTTP, and the Gateway is expected to be accepted and programmed", NonTCPListener.ShortName},
	{"GatewayStaticAddresses", "its only listener is HTTP, and the Gateway is expected to be programmed", StaticAddresses.ShortName},
	{"GatewayOptionalAddressValue", "its only listener is HTTP, and the Gateway is expected to get an address", OptionalAddressValue.ShortName},
}

// Named finds a test by its short name.
func Named(tests []suite.ConformanceTest, name string) bool {
	for _, test := range tests {
		if test.ShortName == name {
			return true
		}
	}
	return false
}
