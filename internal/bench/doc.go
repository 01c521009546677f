// Package bench measures the speed of mxsweep beside that of other scanners. The
// package has tests only; scripts/bench runs the programs of this folder, and
// README.md tells what they do.
package bench
