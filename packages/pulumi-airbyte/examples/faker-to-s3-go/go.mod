module faker-to-s3

go 1.24

require (
	github.com/lotus-lake/lotus/sdk/go v0.1.0
	github.com/pulumi/pulumi/sdk/v3 v3.276.0
)
