// Package bench compares the speed of mxsweep with that of other scanners. The
// package has only tests; scripts/bench runs the programs in this folder, and
// README.md describes them.
package bench
