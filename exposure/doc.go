// Package exposure judges whether a service should have answered where it
// did: rules (data), policy, accepted risks and the baseline turn services
// into findings, and findings into the end of a run.
package exposure
