// Package exposure judges whether a service should have answered where it
// did: rules (data) turn services into findings. What the user makes of them is
// in exposure/policy, how they relate to earlier ones in exposure/drift, and how
// the run ends in exposure/gate.
package exposure
