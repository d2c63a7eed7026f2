import * as airbyte from "@lotus-lake/pulumi-airbyte";

const team = new airbyte.Workspace("team", {name: "Data team"});
export const workspace = team.workspaceId;
