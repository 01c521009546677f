// Package postfix reads master.cf of Postfix, with main.cf beside it: which services
// listen, on which addresses, with which settings, and to which ports they hand mail.
//
// The grammar is that of Postfix: logical lines (util/readlline.c), "name = value"
// (util/split_nameval.c), $name and its conditions (util/mac_expand.c), services and
// their options (master/master_ent.c).
package postfix
