export function packagesOf(moduleIds: readonly string[]): string[];
export function licenceTexts(folders: readonly string[], ours: string): string[];
