// Package redact takes secrets out of command lines before they are reported or
// logged.
package redact
