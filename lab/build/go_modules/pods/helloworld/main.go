// Helloworld answers who and which version it is, so that a caller sees where a request went.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	instance, err := os.Hostname()
	if err != nil {
		log.Fatal(err)
	}
	greeting := fmt.Sprintf("Hello version: %s, instance: %s\n", os.Getenv("SERVICE_VERSION"), instance)

	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, greeting) })
	mux.HandleFunc("GET /health", func(http.ResponseWriter, *http.Request) {})
	server := http.Server{Addr: ":5000", Handler: mux, ReadHeaderTimeout: 5 * time.Second}

	stopped, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	go func() {
		if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			log.Fatal(err)
		}
	}()
	<-stopped.Done()

	// Requests under way get their answer: a rollout must not look like a fault of the mesh.
	draining, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(draining); err != nil {
		log.Fatal(err)
	}
}
