// Package exposuretest makes ports and findings for tests of exposure and the
// packages that use it.
package exposuretest
