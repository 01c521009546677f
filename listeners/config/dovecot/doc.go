// Package dovecot reads dovecot.conf of Dovecot 2.3 and 2.4 with the files that it
// includes: which services listen, on which addresses, with which settings, and to which
// servers they hand connections and mail.
//
// The grammar is that of Dovecot: lines and sections (src/config/config-parser.c), the
// settings of Dovecot 1 that 2.3 still takes (src/config/old-set-parser.c), services and
// what they listen to (src/master/master-settings.c, src/master/service.c).
package dovecot
