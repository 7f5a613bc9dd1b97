package main

import "testing"

func TestPoolReusesReleasedAddressLast(t *testing.T) {
	p := newPool("10.0.0.0/29") // .1 to .6
	if !p.take("10.0.0.3") || p.take("10.0.0.3") || p.take("10.0.1.3") || p.take("nonsense") {
		t.Fatal("take accepts only a free address of the range")
	}
	for _, want := range []string{"10.0.0.1", "10.0.0.2", "10.0.0.4", "10.0.0.5"} {
		if got, ok := p.next(); !ok || got != want {
			t.Fatalf("next is %q, not %q", got, want)
		}
	}
	p.release("10.0.0.1")
	for _, want := range []string{"10.0.0.6", "10.0.0.1", ""} {
		if got, _ := p.next(); got != want {
			t.Fatalf("next is %q, not %q: a released address comes last", got, want)
		}
	}
}
