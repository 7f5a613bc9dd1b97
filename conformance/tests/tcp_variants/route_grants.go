package tcpvariants

import (
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	v1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sigs.k8s.io/gateway-api/pkg/features"
)

// The official tests ask what a ReferenceGrant means by the certificates of HTTPS listeners, these by
// the backends of TCPRoutes. None is parallel: a grant to all would be found by the others.

// GrantInvalid is GatewaySecretInvalidReferenceGrant for backends.
var GrantInvalid = suite.ConformanceTest{
	ShortName:   "TCPRouteInvalidReferenceGrant",
	Description: "A backend in another namespace is not permitted by grants that are each wrong in one respect; its connections are rejected.",
	Features:    grantFeatures,
	Manifests:   []string{"route_grant_invalid.yaml"},
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		notPermitted(t, s, "grant-invalid")
	},
}

// GrantMissing is GatewaySecretMissingReferenceGrant for backends.
var GrantMissing = suite.ConformanceTest{
	ShortName:   "TCPRouteMissingReferenceGrant",
	Description: "A backend in another namespace is not permitted without a grant; its connections are rejected.",
	Features:    grantFeatures,
	Manifests:   []string{"route_grant_missing.yaml"},
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		notPermitted(t, s, "grant-missing")
	},
}

// GrantAllInNamespace is GatewaySecretReferenceGrantAllInNamespace for backends.
var GrantAllInNamespace = suite.ConformanceTest{
	ShortName:   "TCPRouteReferenceGrantAllInNamespace",
	Description: "A grant without a name permits every Service of its namespace, for as long as it is there.",
	Features:    grantFeatures,
	Manifests:   []string{"route_grant_namespace.yaml"},
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		permitted(t, s, "grant-namespace", "all-in-namespace")
	},
}

// GrantSpecific is GatewaySecretReferenceGrantSpecific for backends.
var GrantSpecific = suite.ConformanceTest{
	ShortName:   "TCPRouteReferenceGrantSpecific",
	Description: "A grant with a name permits the Service of that name, for as long as it is there.",
	Features:    grantFeatures,
	Manifests:   []string{"route_grant_specific.yaml"},
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		permitted(t, s, "grant-specific", "specific")
	},
}

var grantFeatures = append([]features.FeatureName{features.SupportReferenceGrant}, tcpFeatures...)

// notPermitted asks that the route of this name leads nowhere, and that its listener is none the worse.
func notPermitted(t *testing.T, s *suite.ConformanceTestSuite, name string) {
	t.Helper()
	expectRoute(t, s, infra(name), []string{name}, yes("Accepted"), no("ResolvedRefs", "RefNotPermitted"))
	expectGateway(t, s, infra(name), yes("Accepted"), yes("Programmed"))
	expectListeners(t, s, infra(name), serving("tcp", 1))
	expectFate(t, address(t, s, infra(name), "tcp"), rejected)
}

// permitted asks that the route of this name reaches its backend until the grant is gone.
func permitted(t *testing.T, s *suite.ConformanceTestSuite, name, grant string) {
	t.Helper()
	expectRoute(t, s, infra(name), []string{name}, yes("Accepted"), yes("ResolvedRefs"))
	expectListeners(t, s, infra(name), serving("tcp", 1))
	expectBackend(t, address(t, s, infra(name), "tcp"), "echo-web")
	require.NoError(t, s.Client.Delete(t.Context(), &v1.ReferenceGrant{
		ObjectMeta: metav1.ObjectMeta{Namespace: suite.WebBackendNamespace, Name: grant},
	}))
	notPermitted(t, s, name)
}
