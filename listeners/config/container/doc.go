// Package container reads the files and commands that start mail daemons in containers and
// publish their ports: Docker Compose, Dockerfiles, Kubernetes manifests, and docker run.
package container
