// Package wording holds how messages write counts, quotes and times.
package wording
