// Package userfile reads files that a user wrote: strictly, telling all mistakes
// at once, each with its place, the line itself and what to do.
package userfile
