package tcpvariants

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sluicegate.dev/conformance/tests/harness"
)

// ClassOfOthers asks that Gateways of other controllers are left alone.
var ClassOfOthers = suite.ConformanceTest{
	ShortName:   "ClassOfOthersUntouched",
	Description: "A GatewayClass of another controller, its Gateways and their routes get no status and no Service.",
	Features:    tcpFeatures,
	Parallel:    true,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		name := infra("of-another-class")
		class := &v1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "another"}, Spec: v1.GatewayClassSpec{ControllerName: "example.com/controller"}}
		objects := []client.Object{class, gatewayOf("another", name.Name), routeTo(name.Name, name.Name, "echo-1")}
		create(t, s, objects...)
		versions := map[client.Object]string{}
		for _, object := range objects {
			versions[object] = object.GetResourceVersion()
		}
		harness.Always(t, 5*time.Second, "objects of another controller are left alone", func(ctx context.Context) error {
			for _, object := range objects {
				if err := s.Client.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
					return err
				}
				if object.GetResourceVersion() != versions[object] {
					return fmt.Errorf("%T %s was written", object, object.GetName())
				}
			}
			if service, err := serviceOf(ctx, s, name.Name); err == nil {
				return fmt.Errorf("it got Service %s", service.Name)
			}
			return nil
		})
	},
}

// ClassStatus asks for what a GatewayClass tells besides being accepted.
var ClassStatus = suite.ConformanceTest{
	ShortName:   "GatewayClassStatus",
	Description: "A GatewayClass tells that the version of the CRDs is supported, and keeps itself while Gateways use it.",
	Features:    tcpFeatures,
	Parallel:    true,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		name := types.NamespacedName{Name: s.GatewayClassName}
		harness.Eventually(t, soon, "status of the GatewayClass", func(ctx context.Context) error {
			class := v1.GatewayClass{}
			if err := s.Client.Get(ctx, name, &class); err != nil {
				return err
			}
			return mismatch(&class, class.Status.Conditions, []metav1.Condition{yes("Accepted"), yes("SupportedVersion")})
		})
		class := v1.GatewayClass{}
		require.NoError(t, s.Client.Get(t.Context(), name, &class))
		require.Contains(t, class.Finalizers, v1.GatewayClassFinalizerGatewaysExist)

		invalid := &v1.GatewayClass{
			ObjectMeta: metav1.ObjectMeta{Name: "class-with-parameters"},
			Spec: v1.GatewayClassSpec{
				ControllerName: v1.GatewayController(s.ControllerName),
				ParametersRef:  &v1.ParametersReference{Group: "example.com", Kind: "Parameters", Name: "any"},
			},
		}
		create(t, s, invalid)
		harness.Eventually(t, soon, "status of a GatewayClass with parameters", func(ctx context.Context) error {
			if err := s.Client.Get(ctx, client.ObjectKeyFromObject(invalid), invalid); err != nil {
				return err
			}
			return mismatch(invalid, invalid.Status.Conditions, []metav1.Condition{no("Accepted", "InvalidParameters")})
		})
		require.NotContains(t, invalid.Finalizers, v1.GatewayClassFinalizerGatewaysExist, "no Gateway uses it")
	},
}

// ClassInUse asks what becomes of a GatewayClass whose Gateways come and go, and of a Gateway that goes
// over to another controller.
var ClassInUse = suite.ConformanceTest{
	ShortName:   "GatewayClassInUse",
	Description: "A GatewayClass stays while a Gateway is of it; what was made for a Gateway that leaves goes, status included where it is ours alone.",
	Features:    tcpFeatures,
	Parallel:    true,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		class := &v1.GatewayClass{
			ObjectMeta: metav1.ObjectMeta{Name: "class-in-use"},
			Spec:       v1.GatewayClassSpec{ControllerName: v1.GatewayController(s.ControllerName)},
		}
		foreign := &v1.GatewayClass{
			ObjectMeta: metav1.ObjectMeta{Name: "class-of-others"},
			Spec:       v1.GatewayClassSpec{ControllerName: "example.com/controller"},
		}
		name := infra("leaving")
		create(t, s, class, foreign, gatewayOf(class.Name, name.Name), routeTo(name.Name, name.Name, "echo-1"))
		expectGateway(t, s, name, yes("Accepted"), yes("Programmed"))
		expectRoute(t, s, name, []string{name.Name}, yes("Accepted"))
		harness.Eventually(t, soon, "the class is held", func(ctx context.Context) error {
			if err := s.Client.Get(ctx, client.ObjectKeyFromObject(class), class); err != nil {
				return err
			}
			if !slices.Contains(class.Finalizers, v1.GatewayClassFinalizerGatewaysExist) {
				return fmt.Errorf("it has finalizers %v", class.Finalizers)
			}
			return nil
		})
		require.NoError(t, s.Client.Delete(t.Context(), class))
		harness.Always(t, time.Second, "the class stays", func(ctx context.Context) error {
			return s.Client.Get(ctx, client.ObjectKeyFromObject(class), class)
		})

		edit(t, s, name, &v1.Gateway{}, func(g *v1.Gateway) { g.Spec.GatewayClassName = v1.ObjectName(foreign.Name) })
		gone := func(what string, ask func(context.Context) error) {
			t.Helper()
			harness.Eventually(t, soon, what+" is gone", func(ctx context.Context) error {
				err := ask(ctx)
				if err == nil {
					return fmt.Errorf("it is still there")
				}
				return client.IgnoreNotFound(err)
			})
		}
		gone("the class", func(ctx context.Context) error { return s.Client.Get(ctx, client.ObjectKeyFromObject(class), class) })
		gone("the Service", func(ctx context.Context) error {
			_, err := serviceOf(ctx, s, name.Name)
			return err
		})
		expectRoute(t, s, name, []string{})
	},
}
