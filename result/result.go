// Package result is the one model of what a run reports: the types of the
// published schema with their JSON tags.
//
// Every other package fills these types, judges them or writes them down; none
// defines them again. The text in them is as it was seen or read: package report
// sanitizes it where it takes it over.
package result
