module github.com/lanyard-k8s/lanyard/test

go 1.26.0

replace (
	github.com/lanyard-k8s/lanyard => ../
	github.com/lanyard-k8s/lanyard/test/controlplane => ./controlplane
)
