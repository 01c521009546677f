// Package daemons reads the configuration files of filters and scanners that consist
// of names and values: DKIMproxy, OpenDKIM, OpenDMARC and ClamAV.
package daemons
