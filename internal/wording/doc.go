// Package wording formats counts, quotes and times for messages.
package wording
