// Package query asks a recursive DNS server, and keeps its ways to have no answer apart.
package query
