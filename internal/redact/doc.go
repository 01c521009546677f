// Package redact removes secrets from command lines that are reported or logged.
package redact
