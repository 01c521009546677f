// Package configured judges what configuration files open: the rules, the policy, the
// baseline and the gate of a scan, without a network.
package configured
