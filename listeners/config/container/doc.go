// Package container reads the files that start mail daemons in containers and publish
// their ports: Docker Compose, Dockerfiles, and Kubernetes manifests.
package container
