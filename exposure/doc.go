// Package exposure decides whether a service is exposed where it answered: its
// rules (data) turn services into findings. What the user accepts or forbids is
// in exposure/policy, how findings relate to earlier ones in exposure/drift, and
// how the run ends in exposure/gate.
package exposure
