package container

import (
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/mxsweep/mxsweep/listeners"
)

// mounts adds the files and folders of the host that a service has in its container.
func (p *composeProject) mounts(c *listeners.Config, service types.ServiceConfig) {
	for _, v := range service.Volumes {
		if v.Type != types.VolumeTypeBind {
			continue
		}
		if name := p.tree.FindLocal(p.files[0].Name, v.Source); name != "" && name != "." {
			c.Mounts = append(c.Mounts, listeners.Mount{
				Name: p.tree.ShownName(name), Service: service.Name, HostNetwork: service.NetworkMode == "host",
			})
		}
	}
}
