// Command dotnet writes packages and programs for .NET.
//
// It is a module of its own because these generators have left the engine's module. This is its last release with them
// that Go's module proxy serves.
package main

import (
	"bytes"
	"image"
	"image/png"
	"io"
	"net/http"

	"github.com/hashicorp/hcl/v2"
	"github.com/lotus-lake/toolchain/hosts/host"
	"github.com/pulumi/pulumi/pkg/v3/codegen/dotnet"
	"github.com/pulumi/pulumi/pkg/v3/codegen/hcl2/syntax"
	"github.com/pulumi/pulumi/pkg/v3/codegen/pcl"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

var languages = map[string]host.Language{
	"dotnet": {
		Program: dotnet.GenerateProgram,
		Project: dotnet.GenerateProject,
		Package: func(tool string, pkg *schema.Package, request *pulumirpc.GeneratePackageRequest,
			_ schema.ReferenceLoader,
		) (host.Files, error) {
			if pkg.LogoURL == "" {
				pkg.LogoURL = "blank://logo.png"
			}
			return dotnet.GeneratePackage(tool, pkg, request.ExtraFiles, request.LocalDependencies)
		},
	},
}

func bindProgram(
	parsed []*syntax.File, loader schema.ReferenceLoader, options []pcl.BindOption,
) (*pcl.Program, hcl.Diagnostics, error) {
	return pcl.BindProgram(parsed, append(options, pcl.Loader(loader))...)
}

func main() {
	http.DefaultTransport.(*http.Transport).RegisterProtocol("blank", blank{})
	host.Main(languages, bindProgram)
}

// A blank answers every request with a blank picture. The package for .NET needs a logo, and without one of its own the
// generator would download Pulumi's.
type blank struct{}

func (blank) RoundTrip(request *http.Request) (*http.Response, error) {
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 64, 64))); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Body: io.NopCloser(&picture), Header: http.Header{}, Request: request,
	}, nil
}
