package main

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// component is a process of the control plane. One that ends by itself is started again, as a
// kubelet would; one that was stopped stays so until it is asked for.
type component struct {
	name    string
	command []string
	log     string

	mu      sync.Mutex
	wanted  bool
	process *os.Process
	ended   chan struct{} // Closed when the run that started last is over.
}

// start starts the component, and does not wait until it serves.
func (c *component) start() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wanted {
		return fmt.Errorf("%s runs already", c.name)
	}
	return c.launch()
}

// stop kills the component, which is harder on those that talk to it than to let it finish.
func (c *component) stop() error {
	c.mu.Lock()
	if !c.wanted {
		c.mu.Unlock()
		return fmt.Errorf("%s does not run", c.name)
	}
	c.wanted = false
	c.process.Kill()
	ended := c.ended
	c.mu.Unlock()
	<-ended
	return nil
}

func (c *component) launch() error {
	output, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer output.Close()
	command := exec.Command(c.command[0], c.command[1:]...)
	command.Stdout, command.Stderr = output, output
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return err
	}
	c.wanted, c.process, c.ended = true, command.Process, make(chan struct{})
	go c.watch(command, c.ended)
	return nil
}

func (c *component) watch(command *exec.Cmd, ended chan struct{}) {
	err := command.Wait()
	close(ended)
	if !c.isWanted(ended) {
		return
	}
	log.Printf("%s ended by itself (%v) and is started again; its log is %s", c.name, err, c.log)
	time.Sleep(time.Second)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wanted && c.ended == ended {
		if err := c.launch(); err != nil {
			log.Printf("%s: %v", c.name, err)
			c.wanted = false
		}
	}
}

// isWanted tells whether this run is the last one and was not stopped.
func (c *component) isWanted(ended chan struct{}) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wanted && c.ended == ended
}
