// Package perl reads configuration files that are programs in Perl: amavisd.conf with the
// files of amavis/conf.d, and policyd-weight.conf.
//
// It runs nothing. It takes the assignments of literal values that stand by themselves; what
// a program computes, or assigns on a condition, is a doubt.
package perl
