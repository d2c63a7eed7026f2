// Command current writes packages and programs for Node.js, Python and Go, with the engine's version of the generators.
package main

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/lotus-lake/toolchain/hosts/host"
	golang "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/hcl2/syntax"
	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/pcl"
	"github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

var languages = map[string]host.Language{
	"nodejs": {
		Program: nodejs.GenerateProgram,
		Project: func(directory string, project workspace.Project, program *pcl.Program, local map[string]string) error {
			return nodejs.GenerateProject(directory, project, program, local, false, "nodejs")
		},
		Package: func(tool string, pkg *schema.Package, request *pulumirpc.GeneratePackageRequest,
			loader schema.ReferenceLoader,
		) (host.Files, error) {
			return nodejs.GeneratePackage(
				tool, pkg, request.ExtraFiles, request.LocalDependencies, request.Local, loader)
		},
	},
	"python": {
		Program: python.GenerateProgram,
		Project: func(directory string, project workspace.Project, program *pcl.Program, local map[string]string) error {
			return python.GenerateProject(directory, project, program, local, "", "")
		},
		Package: func(tool string, pkg *schema.Package, request *pulumirpc.GeneratePackageRequest,
			loader schema.ReferenceLoader,
		) (host.Files, error) {
			return python.GeneratePackage(tool, pkg, request.ExtraFiles, loader)
		},
	},
	"go": {
		Program: golang.GenerateProgram,
		Project: golang.GenerateProject,
		Package: func(tool string, pkg *schema.Package, request *pulumirpc.GeneratePackageRequest,
			_ schema.ReferenceLoader,
		) (host.Files, error) {
			return golang.GeneratePackage(tool, pkg, request.LocalDependencies)
		},
	},
}

func bindProgram(
	parsed []*syntax.File, loader schema.ReferenceLoader, options []pcl.BindOption,
) (*pcl.Program, hcl.Diagnostics, error) {
	return pcl.BindProgram(parsed, loader, options...)
}

func main() {
	host.Main(languages, bindProgram)
}
