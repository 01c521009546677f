// Package daemons reads the configuration files of filters, scanners and mail servers that
// consist of names and values, or of lines of words: DKIMproxy, OpenDKIM, OpenDMARC, ClamAV,
// Cyrus IMAP, Courier, Exim, OpenSMTPD, Sendmail, and those of settings.yaml.
package daemons
