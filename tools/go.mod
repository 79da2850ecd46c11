module github.com/lanyard-k8s/lanyard/tools

go 1.26.0

require (
	github.com/ldez/usetesting v0.5.0
	github.com/sonatard/noctx v0.5.1
	github.com/yuin/goldmark v1.8.7
	go.augendre.info/fatcontext v0.10.1
	golang.org/x/exp v0.0.0-20260811152304-ee035b5b010f
	golang.org/x/mod v0.42.0
	golang.org/x/tools v0.52.0
	honnef.co/go/tools v0.8.2
)

require (
	github.com/gostaticanalysis/analysisutil v0.7.1 // indirect
	github.com/gostaticanalysis/comment v1.5.0 // indirect
	golang.org/x/exp/typeparams v0.0.0-20231108232855-2478ac86f678 // indirect
	golang.org/x/sync v0.24.0 // indirect
)
