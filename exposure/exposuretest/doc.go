// Package exposuretest makes ports and findings for the tests of the packages
// below exposure.
package exposuretest
