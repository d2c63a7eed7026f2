// Package host serves a language's generators to the engine: the part of a Pulumi language host that needs no runtime.
//
// It stands in where the official hosts are missing, and calls the same generators that they call.
package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/pulumi/pulumi/pkg/v3/codegen/hcl2/syntax"
	"github.com/pulumi/pulumi/pkg/v3/codegen/pcl"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

const prefix = "pulumi-language-"

// Files are texts by path.
type Files = map[string][]byte

// A Language is the generators of a language.
type Language struct {
	Program func(*pcl.Program) (Files, hcl.Diagnostics, error)
	Project func(directory string, project workspace.Project, program *pcl.Program, local map[string]string) error
	Package func(
		tool string, pkg *schema.Package, request *pulumirpc.GeneratePackageRequest, loader schema.ReferenceLoader,
	) (Files, error)
}

// A Binder binds a program. Releases of the generators differ in how they take the loader.
type Binder = func(
	parsed []*syntax.File, loader schema.ReferenceLoader, options []pcl.BindOption,
) (*pcl.Program, hcl.Diagnostics, error)

type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	Language
	tool string
	bind Binder
}

func (h *host) Handshake(
	context.Context, *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{}, nil
}

func (h *host) GeneratePackage(
	_ context.Context, request *pulumirpc.GeneratePackageRequest,
) (*pulumirpc.GeneratePackageResponse, error) {
	loader, err := schema.NewLoaderClient(request.LoaderTarget)
	if err != nil {
		return nil, err
	}
	defer loader.Close()
	var spec schema.PackageSpec
	if err := json.Unmarshal([]byte(request.Schema), &spec); err != nil {
		return nil, err
	}
	cached := schema.NewCachedLoader(loader)
	pkg, diagnostics, err := schema.BindSpec(spec, cached, schema.ValidationOptions{})
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.GeneratePackageResponse{
		Diagnostics: plugin.HclDiagnosticsToRPCDiagnostics(diagnostics),
	}
	if diagnostics.HasErrors() {
		return response, nil
	}
	written, err := h.Package(h.tool, pkg, request, cached)
	if err != nil {
		return nil, err
	}
	return response, write(request.Directory, written)
}

func (h *host) GenerateProgram(
	_ context.Context, request *pulumirpc.GenerateProgramRequest,
) (*pulumirpc.GenerateProgramResponse, error) {
	loader, err := schema.NewLoaderClient(request.LoaderTarget)
	if err != nil {
		return nil, err
	}
	defer loader.Close()
	parser := syntax.NewParser()
	for name, text := range request.Source {
		if err := parser.ParseFile(strings.NewReader(text), name); err != nil {
			return nil, err
		}
	}
	if parser.Diagnostics.HasErrors() {
		return &pulumirpc.GenerateProgramResponse{
			Diagnostics: plugin.HclDiagnosticsToRPCDiagnostics(parser.Diagnostics),
		}, nil
	}
	program, diagnostics, err := h.bind(
		parser.Files, schema.NewCachedLoader(loader), bindOptions(request.Strict))
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.GenerateProgramResponse{}
	if program != nil && !diagnostics.HasErrors() {
		source, more, err := h.Program(program)
		if err != nil {
			return nil, err
		}
		response.Source, diagnostics = source, append(diagnostics, more...)
	}
	response.Diagnostics = plugin.HclDiagnosticsToRPCDiagnostics(diagnostics)
	return response, nil
}

func (h *host) GenerateProject(
	_ context.Context, request *pulumirpc.GenerateProjectRequest,
) (*pulumirpc.GenerateProjectResponse, error) {
	loader, err := schema.NewLoaderClient(request.LoaderTarget)
	if err != nil {
		return nil, err
	}
	defer loader.Close()
	var project workspace.Project
	if err := json.Unmarshal([]byte(request.Project), &project); err != nil {
		return nil, err
	}
	program, diagnostics, err := pcl.BindDirectory(
		request.SourceDirectory, schema.NewCachedLoader(loader), bindOptions(request.Strict)...)
	if err != nil {
		return nil, err
	}
	if program != nil && !diagnostics.HasErrors() {
		if err := h.Project(request.TargetDirectory, project, program, request.LocalDependencies); err != nil {
			return nil, err
		}
	}
	return &pulumirpc.GenerateProjectResponse{
		Diagnostics: plugin.HclDiagnosticsToRPCDiagnostics(diagnostics),
	}, nil
}

// Link leaves the project as it is: the package is named in it already.
func (h *host) Link(context.Context, *pulumirpc.LinkRequest) (*pulumirpc.LinkResponse, error) {
	return &pulumirpc.LinkResponse{}, nil
}

func bindOptions(strict bool) []pcl.BindOption {
	if strict {
		return nil
	}
	return pcl.NonStrictBindOptions()
}

func write(directory string, written Files) error {
	for name, text := range written {
		path := filepath.Join(directory, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func serve(languages map[string]Language, bind Binder) error {
	tool := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	generators, known := languages[strings.TrimPrefix(tool, prefix)]
	if !known {
		return errors.New("call this program as " + prefix + "<language>, of a language that it has")
	}
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, &host{Language: generators, tool: tool, bind: bind})
			return nil
		},
	})
	if err != nil {
		return err
	}
	fmt.Println(handle.Port)
	return <-handle.Done
}

// Main serves the language that the program is called for, by its name pulumi-language-<language>.
func Main(languages map[string]Language, bind Binder) {
	if err := serve(languages, bind); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
