// Package command reads the command lines that start daemons, with the variables in them: of
// files of /etc/default, and for other packages of systemd units and of container images. What
// a daemon opens for which option is in commands.yaml.
//
// Nothing is executed: substitutions of commands and tests are doubts.
package command
