package ctxargs

import "example.com/client"

func bare(pods client.Pods, pod *client.Pod) {
	pods.Create(pod) // want `pods.Create takes`
}
