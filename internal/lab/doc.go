// Package lab contains the laboratory: real mail daemons in network namespaces,
// with which the accuracy of mxsweep is scored. The package has only tests; the
// program "lab" starts the hosts, truth.json lists what they listen on, "score"
// rates a report, and README.md describes the rest. The score is computed by the
// tests TestLab* of package e2e.
package lab
