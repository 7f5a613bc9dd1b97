package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
)

// serveControl answers at DIR/control.sock to those who want to break something:
//
//	POST /components/NAME/stop and /start
//	POST /pods/NAMESPACE/NAME/kill
//	POST /pods/NAMESPACE/NAME/api/silence-open, /reset-open, /silence-new and /restore
//	GET  /pods/NAMESPACE/NAME
func serveControl(dir string, control *controlPlane, kubelet *kubelet, balancer *loadBalancer, proxy *apiProxy) error {
	path := filepath.Join(dir, "control.sock")
	os.Remove(path) // A run that was killed leaves its socket.
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	routes := http.NewServeMux()
	routes.HandleFunc("POST /components/{name}/{action}", func(w http.ResponseWriter, r *http.Request) {
		component, known := control.components[r.PathValue("name")]
		if !known {
			http.Error(w, "no such component", http.StatusNotFound)
			return
		}
		switch r.PathValue("action") {
		case "start":
			answer(w, component.start())
			balancer.watchAgain()
		case "stop":
			answer(w, component.stop())
		default:
			http.Error(w, "a component is stopped or started", http.StatusNotFound)
		}
	})
	routes.HandleFunc("POST /pods/{namespace}/{name}/kill", func(w http.ResponseWriter, r *http.Request) {
		if p := found(w, r, kubelet); p != nil {
			answer(w, p.containers[0].murder())
		}
	})
	routes.HandleFunc("POST /pods/{namespace}/{name}/api/{action}", func(w http.ResponseWriter, r *http.Request) {
		if p := found(w, r, kubelet); p != nil {
			answer(w, proxy.apply(p.describe().IP, r.PathValue("action")))
		}
	})
	routes.HandleFunc("GET /pods/{namespace}/{name}", func(w http.ResponseWriter, r *http.Request) {
		if p := found(w, r, kubelet); p != nil {
			json.NewEncoder(w).Encode(p.describe())
		}
	})
	go http.Serve(listener, routes)
	return nil
}

func found(w http.ResponseWriter, r *http.Request, kubelet *kubelet) *pod {
	p := kubelet.find(r.PathValue("namespace"), r.PathValue("name"))
	if p == nil {
		http.Error(w, "no such pod", http.StatusNotFound)
	}
	return p
}

func answer(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
	}
}

// murder ends the container's process as a crash would.
func (c *container) murder() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil {
		return fmt.Errorf("container %s has no process now", c.spec.Name)
	}
	return c.process.Kill()
}

// description is what a test needs to reach into a pod from outside.
type description struct {
	PID   int    `json:"pid"`   // Of the first container's process; 0 when there is none.
	Netns string `json:"netns"` // A path that nsenter --net takes.
	IP    string `json:"ip"`
}

func (p *pod) describe() description {
	var d description
	c := p.containers[0]
	c.mu.Lock()
	if c.process != nil {
		d.PID = c.process.Pid
	}
	c.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.network != nil {
		d.IP, d.Netns = p.network.address, fmt.Sprintf("/proc/%d/ns/net", os.Getpid())
		if p.network.namespace != nil {
			d.Netns = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), p.network.namespace.Fd())
		}
	}
	return d
}
