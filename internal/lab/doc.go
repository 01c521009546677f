// Package lab holds the laboratory: real mail daemons in network namespaces, on
// which the accuracy of mxsweep is scored. The package has tests only; the
// program "lab" starts the hosts, truth.json says what they listen on, "score"
// rates a report, and README.md tells the rest. The score itself is taken by
// the tests TestLab* of package e2e.
package lab
