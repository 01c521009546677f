// Package policy reads the policy file, mxsweep.yaml: the scope, the expected
// services, the ports that must be closed, the accepted risks, what fails a run,
// and its authorization.
package policy
