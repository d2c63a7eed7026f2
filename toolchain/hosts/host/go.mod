module github.com/lotus-lake/toolchain/hosts/host

go 1.26

require (
	github.com/hashicorp/hcl/v2 v2.22.0
	github.com/pulumi/pulumi/pkg/v3 v3.218.0
	github.com/pulumi/pulumi/sdk/v3 v3.218.0
	google.golang.org/grpc v1.72.1
	google.golang.org/protobuf v1.36.6
)
