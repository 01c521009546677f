// Package gate decides how a run ends: from its findings, and from how much of
// what was planned gave a conclusive result.
package gate
