// Package result defines what a run reports: the types of the published schema
// with their JSON tags.
//
// Other packages fill these types, assess them or write them; none defines them
// again. Their texts are as received from the network or read from a file:
// package report sanitizes them.
package result
