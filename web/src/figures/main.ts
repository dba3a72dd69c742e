import { showFace } from '@/parts/face'
import Face from './Face.svelte'

void showFace(Face)
